import { createHash } from 'node:crypto';

/** One look for the pages of this server: system fonts, dark and light by the reader's own setting, any width. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ink: #1c2330; --quiet: #5b6575; --paper: #fbfbf9; --card: #fff; --line: #dfe2e7; --accent: #2457c5; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #9aa4b2; --paper: #12151b; --card: #1a1e26; --line: #2c323d; --accent: #8fb3ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 60rem; background: var(--paper); color: var(--ink); font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { margin: 0 0 .25rem; font-size: 2rem; letter-spacing: -.02em; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.25rem; }
h3 { margin: 0; font: 600 1rem/1.5 ui-monospace, monospace; }
p { margin: .25rem 0 .75rem; }
a { color: var(--accent); }
.quiet { color: var(--quiet); }
.cards { display: grid; gap: .75rem; padding: 0; margin: 1.5rem 0 0; list-style: none; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); }
.cards a { display: block; height: 100%; padding: .85rem 1rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); text-decoration: none; }
.cards a:hover, .cards a:focus-visible { border-color: var(--accent); }
.cards span { display: block; color: var(--quiet); font-size: .9rem; }
section.event { padding: .85rem 1rem; margin: 0 0 .75rem; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--quiet); }
pre { margin: .5rem 0 0; padding: .85rem 1rem; overflow-x: auto; border: 1px solid var(--line); border-radius: .6rem; background: var(--card); font: .85rem/1.55 ui-monospace, monospace; }
section.event pre { background: var(--paper); }
code { font: .9em ui-monospace, monospace; }
nav { display: flex; flex-wrap: wrap; gap: .35rem .9rem; margin: 1rem 0; font: .9rem ui-monospace, monospace; }
`;

const hash = createHash('sha256').update(PAGE_STYLE).digest('base64');

/** Lets a page have this style and nothing else: no script, no frame, nothing from another host. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${hash}'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export const PAGE_HEADERS = { type: 'text/html; charset=utf-8', policy: PAGE_POLICY } as const;

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** A whole page around a body that is HTML already. */
export function htmlPage(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`;
}
