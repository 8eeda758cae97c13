import { type Name } from './campus.js';

/** What everybody sees first. */
export const POSTS = {
  internship: { by: 'layla', content: 'نبحث عن متدربين في فريق البيانات هذا الصيف. من يرشّح زميلاً؟' },
  merged: { by: 'omar', content: 'My first pull request to an open-source project was merged today!' },
} as const satisfies Record<string, { by: Name; content: string }>;

export type PostName = keyof typeof POSTS;

/** Something that somebody does about a post. */
export type Step = { by: Name; post: PostName } & ({ reaction: string } | { comment: string });

/** What happens, in order. Nobody does the same thing twice, so each step gives occasion to one notification. */
export const STEPS: Step[] = [
  { by: 'omar', post: 'internship', reaction: 'CELEBRATE' },
  { by: 'sara', post: 'internship', reaction: 'INSIGHTFUL' },
  { by: 'maya', post: 'merged', reaction: 'LIKE' },
  { by: 'sara', post: 'internship', comment: 'كيف أتقدّم بطلب؟' },
  { by: 'layla', post: 'merged', reaction: 'LOVE' },
  { by: 'yusuf', post: 'merged', comment: 'مبارك يا عمر! أي مشروع؟' },
  { by: 'maya', post: 'internship', comment: 'I know two people who would fit. May I refer them?' },
  { by: 'sara', post: 'merged', reaction: 'CELEBRATE' },
  { by: 'yusuf', post: 'internship', reaction: 'SUPPORT' },
  { by: 'maya', post: 'merged', comment: 'Well done. Which part was the hardest?' },
  { by: 'omar', post: 'internship', comment: 'هل التقديم مفتوح لطلاب السنة الثالثة؟' },
  { by: 'yusuf', post: 'merged', reaction: 'LIKE' },
];
