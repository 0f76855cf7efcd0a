import { describe, expect, it } from 'vitest';
import { isFewEmoji, textParts } from './text-parts.js';

const linksIn = (text: string) => textParts(text).flatMap(({ href }) => href ?? []);

describe('a text', () => {
  it.each([
    ['see https://example.com/a?b=c#d.', ['https://example.com/a?b=c#d']],
    ['(https://example.com/x)', ['https://example.com/x']],
    [
      'https://en.wikipedia.org/wiki/Parley_(disambiguation)',
      ['https://en.wikipedia.org/wiki/Parley_(disambiguation)'],
    ],
    ['two: http://a.example, https://b.example!', ['http://a.example/', 'https://b.example/']],
    ['HTTPS://EXAMPLE.COM', ['https://example.com/']],
    ['"https://example.com"', ['https://example.com/']],
  ])('has its web addresses as links: %s', (text, links) => {
    expect(linksIn(text)).toEqual(links);
  });

  it.each([
    'javascript:alert(1)',
    'JavaScript://example.com/%0aalert(1)',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:x',
    'file:///etc/passwd',
    '<a href="javascript:alert(1)">x</a>',
    'https://',
    'http:///',
    'example.com',
  ])('has no other links: %s', (text) => {
    expect(linksIn(text)).toEqual([]);
  });

  it.each([
    '',
    ' ',
    'a https://b.example c',
    'https://x.example https://y.example',
    '<b>no</b> https://[bad https://ok.example',
  ])('is whole when its parts are put together: %j', (text) => {
    expect(
      textParts(text)
        .map((part) => part.text)
        .join(''),
    ).toBe(text);
  });
});

describe('a few emoji', () => {
  it.each(['👍', '🎉🎉', '👩🏽‍🚀 ❤️ 🇩🇪'])('are shown large: %s', (text) => {
    expect(isFewEmoji(text)).toBe(true);
  });

  it.each(['', ' ', '1', 'ok 👍', '😀😀😀😀', '12'])('are not: %j', (text) => {
    expect(isFewEmoji(text)).toBe(false);
  });
});
