import 'reflect-metadata';
import { Injectable } from '@nestjs/common';
import { expect, it } from 'vitest';

@Injectable()
class Dependency {}

@Injectable()
class Dependant {
  constructor(readonly dependency: Dependency) {}
}

it('the test runner emits the constructor types that Nest and TypeORM read at run time', () => {
  expect(Reflect.getMetadata('design:paramtypes', Dependant)).toEqual([Dependency]);
});
