export * from './batch-builder.js';
export * from './conversation-cache.js';
export * from './fail-points.js';
export * from './partition-owner.js';
export * from './recent-heads.js';
export * from './record-hash.js';
export * from './partition-runner.js';
export * from './staged-batch-commit.js';
