interface Stored {
  consumed?: number;
  grantId?: string;
  uid?: string;
}

/** Where oidc-provider keeps what it gives out, as it wants it; gone with the server. */
export function memoryAdapter(): (model: string) => object {
  const all = new Map<string, Stored>();
  return (model) => {
    const keyOf = (id: string): string => `${model}:${id}`;
    const first = (fits: (stored: Stored) => boolean): Promise<Stored | undefined> =>
      Promise.resolve([...all].find(([key, stored]) => key.startsWith(`${model}:`) && fits(stored))?.[1]);
    return {
      upsert: (id: string, stored: Stored) => Promise.resolve(void all.set(keyOf(id), stored)),
      find: (id: string) => Promise.resolve(all.get(keyOf(id))),
      findByUid: (uid: string) => first((stored) => stored.uid === uid),
      findByUserCode: () => Promise.resolve(undefined),
      destroy: (id: string) => Promise.resolve(void all.delete(keyOf(id))),
      consume(id: string) {
        const stored = all.get(keyOf(id));
        if (stored) stored.consumed = Math.floor(Date.now() / 1_000);
        return Promise.resolve();
      },
      revokeByGrantId(grantId: string) {
        for (const [key, stored] of all) if (stored.grantId === grantId) all.delete(key);
        return Promise.resolve();
      },
    };
  };
}
