import { describe, expect, it } from 'vitest';
import { pathOf, routeOf, type Route } from './route.js';

const conversationId = '0190a6c4-5f3e-7a41-9d2b-3c6f1e8a7b90';

describe('an address', () => {
  it.each<Route>([
    { name: 'home' },
    { name: 'login' },
    { name: 'signup' },
    { name: 'settings' },
    { name: 'conversation', conversationId },
  ])('leads back to what it was made of: $name', (route) => {
    expect(routeOf(pathOf(route))).toEqual(route);
    expect(routeOf(`${pathOf(route)}/`.replace('//', '/'))).toEqual(route);
  });

  it.each(['/c/', '/c/not-an-id', `/c/${conversationId}/more`, '/elsewhere', '/login/../c', '//'])(
    'that means nothing leads to the start: %s',
    (path) => {
      expect(routeOf(path)).toEqual({ name: 'home' });
    },
  );
});
