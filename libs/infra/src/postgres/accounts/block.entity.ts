import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('blocks')
export class BlockEntity {
  @PrimaryColumn('uuid', { name: 'blocker_id' })
  blockerId!: string;

  @PrimaryColumn('uuid', { name: 'blocked_id' })
  blockedId!: string;

  /** Grows with each addition; 64 bits, so a string. */
  @Column({ type: 'bigint', insert: false, update: false })
  position!: string;
}
