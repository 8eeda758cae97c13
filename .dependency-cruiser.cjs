/** The import rules of the architecture: who may know whom. */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'core-knows-no-domain',
      comment: 'core is what any product of this kind would need.',
      severity: 'error',
      from: { path: '^src/core/' },
      to: { path: '^(src/modules/|src/[^/]+\\.ts$|jobs/)' },
    },
    {
      name: 'modules-by-their-face',
      comment: 'A module is used through its index.ts; what is inside may change.',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/' },
      to: { path: '^src/modules/(?!$1/)[^/]+/(?!index\\.ts$)' },
    },
    {
      name: 'composition-by-faces',
      comment: 'Composition and jobs, too, know only the faces of modules.',
      severity: 'error',
      from: { path: '^(src/[^/]+\\.ts$|jobs/)' },
      to: { path: '^src/modules/[^/]+/(?!index\\.ts$)' },
    },
    {
      name: 'modules-do-not-compose',
      severity: 'error',
      from: { path: '^src/modules/' },
      to: { path: '^(src/[^/]+\\.ts$|jobs/)' },
    },
    {
      name: 'product-needs-no-tests',
      severity: 'error',
      from: { path: '^(src|jobs)/' },
      to: { path: '^(test|scripts)/' },
    },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^(src|jobs)/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], pathNot: '@types/' },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default', 'types'] },
  },
};
