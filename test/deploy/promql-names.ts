const FUNCTIONS_AND_WORDS = new Set(
  `sum min max avg count by without and or unless on ignoring bool rate irate increase deriv delta histogram_quantile topk min_over_time
   label_values offset group_left group_right job le`.split(/\s+/),
);

/** The names of metrics that an expression of PromQL reads. */
export function metricNamesOf(expression: string): string[] {
  const bare = expression
    // Texts, label matchers, ranges and lists of labels name no metric.
    .replaceAll(/"[^"]*"/g, '')
    .replaceAll(/\{[^}]*\}/g, ' ')
    .replaceAll(/\[[^\]]*\]/g, ' ')
    .replaceAll(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ');
  const names = bare.match(/[a-zA-Z_:][a-zA-Z0-9_:]*/g) ?? [];
  return [...new Set(names.filter((name) => !FUNCTIONS_AND_WORDS.has(name)))];
}

/** The labels that an expression selects or groups by. */
export function labelsOf(expression: string): string[] {
  const selected = [...expression.matchAll(/\{([^}]*)\}/g)].flatMap(([, inner = '']) =>
    [...inner.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, name = '']) => name),
  );
  const grouped = [...expression.matchAll(/\b(?:by|without|on)\s*\(([^)]*)\)/g)].flatMap(([, inner = '']) =>
    inner.split(',').map((name) => name.trim()),
  );
  return [...new Set([...selected, ...grouped])];
}
