const { reporters, Runner } = require('mocha');

/** Mocha's own report, and a plain last line that programs can count by. */
module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      process.stdout.write(`${runner.stats.passes} passed, ${runner.stats.failures} failed\n`);
    });
  }
};
