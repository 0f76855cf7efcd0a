import { Column, Entity, PrimaryColumn } from 'typeorm';

/** A family of refresh tokens: the row keeps the hash of the latest. */
@Entity('sessions')
export class SessionEntity {
  @PrimaryColumn('uuid', { name: 'session_id' })
  sessionId!: string;

  @Column('uuid', { name: 'user_id' })
  userId!: string;

  @Column('uuid', { name: 'device_id', nullable: true })
  deviceId!: string | null;

  @Column('bytea', { name: 'refresh_hash' })
  refreshHash!: Buffer;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;

  /** When the latest refresh token runs out. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt!: Date;

  /** By then every access token of the session has run out. */
  @Column('timestamptz', { name: 'access_until' })
  accessUntil!: Date;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt!: Date | null;
}
