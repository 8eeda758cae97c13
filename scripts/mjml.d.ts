// The parts of MJML that are used here; neither package has types of its own.
declare module 'mjml-core' {
  interface Options {
    /** Which elements there are. */
    presets: unknown[];
    validationLevel: 'strict';
    /** Nothing but the source itself is read. */
    ignoreIncludes: boolean;
    keepComments: boolean;
    minify: boolean;
    minifyOptions: Record<string, unknown>;
  }
  const core: { default(source: string, options: Options): Promise<{ html: string }> };
  export default core;
}

declare module 'mjml-preset-core' {
  const preset: object;
  export default preset;
}
