import PostalMime, { type Attachment } from 'postal-mime';

/** What a mail server tells of one recipient of a mail. */
export interface ReportedRecipient {
  /** As we wrote it, as far as the report says, and as it was after forwarding. */
  addresses: string[];
  action: string;
  /** The enhanced status code, as in `5.1.1`. */
  status: string;
}

/** A delivery status notification. */
export interface DeliveryReport {
  /** Names the report. */
  id: string | undefined;
  /** The Message-ID of the mail that it is about. */
  messageId: string;
  recipients: ReportedRecipient[];
}

const STATUS_TYPES: ReadonlySet<string> = new Set(['message/delivery-status', 'message/global-delivery-status']);
const ORIGINAL_TYPES: ReadonlySet<string> = new Set([
  'message/rfc822',
  'message/rfc822-headers',
  'text/rfc822-headers',
  'message/global',
  'message/global-headers',
]);
const LIMITS = { maxNestingDepth: 10, maxHeadersSize: 262_144, forceRfc822Attachments: true } as const;

/**
 * Reads a mail as a delivery status notification (RFC 3464, RFC 6533); `undefined` where it is something else, or does
 * not say which mail it is about.
 * @throws Error where the mail is nested too deep or has too many headers
 */
export async function readReport(mail: Buffer): Promise<DeliveryReport | undefined> {
  const {
    messageId: id,
    inReplyTo,
    attachments,
  } = await PostalMime.parse(mail, { ...LIMITS, attachmentEncoding: 'utf8' });
  const status = contentOf(attachments, STATUS_TYPES);
  if (status === undefined) return undefined;
  const original = contentOf(attachments, ORIGINAL_TYPES);
  const messageId = original === undefined ? undefined : (await PostalMime.parse(original, LIMITS)).messageId;
  // Servers that leave the mail out may still say which one they answer.
  const about = messageId ?? inReplyTo;
  return about === undefined ? undefined : { id, messageId: about, recipients: recipientsIn(status) };
}

function contentOf(attachments: readonly Attachment[], types: ReadonlySet<string>): string | undefined {
  const content = attachments.find(({ mimeType }) => types.has(mimeType))?.content;
  return typeof content === 'string' ? content : undefined;
}

/** The groups of fields but for the first, which is about the mail as a whole. */
function recipientsIn(status: string): ReportedRecipient[] {
  const unfolded = status.replaceAll('\r\n', '\n').replaceAll(/\n[ \t]+/g, ' ');
  return unfolded.split(/\n{2,}/).flatMap((group) => {
    const fields = new Map(
      group.split('\n').map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const [action, code] = [fields.get('action'), /^[245]\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0]];
    if (action === undefined || code === undefined) return [];
    const addresses = [fields.get('original-recipient'), fields.get('final-recipient')].flatMap(addressIn);
    return [{ addresses, action: action.toLowerCase(), status: code }];
  });
}

/** The address of a field such as `rfc822; <somebody@example.org>`, if it is one. */
function addressIn(field = ''): string[] {
  const [, ...afterType] = field.split(';');
  const address = afterType.join(';').trim().replace(/^</, '').replace(/>$/, '');
  return address === '' || /[<>]/.test(address) ? [] : [address];
}
