import { progress, publish, ROUNDS, TOWN } from './choices.js';
import { compareLatencies, median, round } from './report.js';
import { type Stage } from './stage.js';
import { Suggestions } from './suggestions.js';
import { type Town } from './town.js';

/** People one may know, for those with very many connections. */
export async function measureSuggestions(stage: Stage, town: Town): Promise<void> {
  const suggestions = await Suggestions.prepare(stage, town);
  progress('suggestions: warming up');
  await suggestions.run();
  const rounds = [];
  for (let number = 1; number <= ROUNDS; number += 1) {
    progress(`suggestions: round ${number} of ${ROUNDS}`);
    rounds.push(await suggestions.run());
  }
  const { users, hubConnections } = TOWN;
  const measure = `suggestions for ${hubConnections} connections among ${users} users`;
  const { atrium, ...compared } = compareLatencies(measure, rounds, { mostMs: 50 });
  publish({ ...compared, measure, atrium: { ...atrium, cpu: round(median(rounds.map(({ cpuMs }) => cpuMs))) } });
}
