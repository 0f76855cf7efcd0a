/** The text of a file; the bundler and the test runner both put it in. */
declare module '*.mjs?raw' {
  const text: string;
  export default text;
}
