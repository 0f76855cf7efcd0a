import { Window } from 'happy-dom';

/**
 * A page for React to render into. Imported before React, which looks for one when it is loaded. The network stays that
 * of Node: what a page may fetch from where is not what these tests are about.
 */
const window = new Window({ url: 'http://127.0.0.1/' });
// Changes come from a real server here, at any time: the tests wait for what they show.
const page = { window, document: window.document, IS_REACT_ACT_ENVIRONMENT: false };
for (const [name, value] of Object.entries(page))
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
for (const name of ['HTMLElement', 'HTMLIFrameElement', 'Element', 'Node', 'MutationObserver'] as const) {
  Object.defineProperty(globalThis, name, { value: window[name], configurable: true, writable: true });
}
