/** A node that logs all it can, whatever level its environment names. */
process.env['LOG_LEVEL'] = 'trace';
await import('../../src/main.js');
