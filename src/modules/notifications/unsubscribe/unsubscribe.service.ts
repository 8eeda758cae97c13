import { ObjectId } from 'mongodb';
import { badRequest } from '../../../core/http/problem.js';
import { type Locale, type UserService } from '../../users/index.js';
import { type NotificationSettingsService } from '../settings.service.js';
import { MAIL_CATEGORIES, type MailSubject, type UnsubscribeLinks, type Unsubscription } from './unsubscribe-links.js';

export interface UnsubscribeDeps {
  links: UnsubscribeLinks;
  users: Pick<UserService, 'findSigningIn'>;
  settings: Pick<NotificationSettingsService, 'change'>;
}

/** What the page for a link says, and to whom. */
export interface Shown {
  locale: Locale;
  category: MailSubject;
}

/** Stops mail of one category for whoever holds a link from such a mail. */
export class UnsubscribeService {
  constructor(private readonly deps: UnsubscribeDeps) {}

  /**
   * What a link is for; changes nothing, since programs that look for viruses follow every link in a mail.
   * @throws Problem 400 `UNSUBSCRIBE_LINK_INVALID`
   */
  async look(token: string): Promise<Shown> {
    const { userId, category } = this.read(token);
    return { locale: (await this.find(userId))?.locale ?? 'en', category };
  }

  /**
   * Switches mail of the link's category off, or of all where it comes from a digest, and nothing else: what is about
   * the security of the account still comes. Doing it again changes nothing. Of someone who is
   * gone there is nothing to switch off, and nobody is told that they are.
   * @throws Problem 400 `UNSUBSCRIBE_LINK_INVALID`
   */
  async stop(token: string): Promise<Shown> {
    const { userId, category } = this.read(token);
    const user = await this.find(userId);
    if (user) {
      const categories = category === 'digest' ? MAIL_CATEGORIES : [category];
      const preferences = Object.fromEntries(categories.map((each) => [each, { email: false }]));
      await this.deps.settings.change(userId, { preferences });
    }
    return { locale: user?.locale ?? 'en', category };
  }

  private read(token: string): Unsubscription {
    const unsubscription = this.deps.links.read(token);
    if (!unsubscription) throw badRequest('UNSUBSCRIBE_LINK_INVALID', 'This link does not come from one of our mails.');
    return unsubscription;
  }

  /** Also who gave the account up: the choice is there when they come back. */
  private find(userId: string) {
    return this.deps.users.findSigningIn(new ObjectId(userId));
  }
}
