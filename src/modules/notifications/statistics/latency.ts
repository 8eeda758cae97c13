/**
 * Latencies are counted in buckets with fixed bounds, so that the counts of any two days or channels add up to those of
 * both. Each bound is √2 times the one before: what is answered is off by a fifth at most.
 */
const BUCKETS_PER_DOUBLING = 2;
/** The last one begins at twelve days. */
export const BUCKETS = 61;

/** The bucket of a latency in milliseconds; the first one holds up to a millisecond. */
export function bucketOf(ms: number): number {
  const bucket = ms <= 1 ? 0 : Math.ceil(BUCKETS_PER_DOUBLING * Math.log2(ms));
  return Math.min(bucket, BUCKETS - 1);
}

/** The longest latency of a bucket, in milliseconds. */
function boundOf(bucket: number): number {
  return 2 ** (bucket / BUCKETS_PER_DOUBLING);
}

/**
 * The latency that this share of all did not exceed, in whole milliseconds.
 * @param counts by bucket; not all 0
 * @param share above 0 and up to 1
 */
export function percentile(counts: readonly number[], share: number): number {
  const wanted = share * counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (count > 0 && below + count >= wanted) {
      const from = bucket === 0 ? 0 : boundOf(bucket - 1);
      // As if those of a bucket were spread evenly over it.
      return Math.round(from + ((boundOf(bucket) - from) * (wanted - below)) / count);
    }
    below += count;
  }
  return Math.round(boundOf(counts.length - 1));
}
