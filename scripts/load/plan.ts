/** One of the people of the load: an account, and where they talk. */
export interface PersonPlan {
  id: string;
  email: string;
  password: string;
  conversationIds: string[];
}

/** How long people take, in milliseconds on the average. */
export interface Habits {
  /** Between one thing and the next. */
  thinkMs: number;
  /** With the app open, and with it closed. */
  stayMs: number;
  awayMs: number;
}

/** Who is there, and what there is to look at. */
export interface Plan {
  people: PersonPlan[];
  posts: { id: string; authorId: string }[];
}

/** What a crowd is to do. */
export interface CrowdPlan extends Plan {
  /** The nodes, as a load balancer knows them. */
  urls: string[];
  habits: Habits;
  seed: number;
  /** So many things a second are begun by all together, whatever becomes of them; without it everyone takes their time. */
  perSecond?: number;
}
