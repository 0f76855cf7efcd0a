import type { UserRecord } from '@parley/domain';
import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('users')
export class UserEntity {
  @PrimaryColumn('uuid', { name: 'user_id' })
  userId!: string;

  @Column('text')
  username!: string;

  @Column('text', { name: 'display_name' })
  displayName!: string;

  /** `searchKey(displayName)`, written with it. */
  @Column('text', { name: 'display_name_key', select: false })
  displayNameKey!: string;

  /** Null for users of another system. Never read but to log in. */
  @Column('text', { name: 'password_hash', nullable: true, select: false })
  passwordHash!: string | null;

  @Column('text', { name: 'avatar_url', nullable: true })
  avatarUrl!: string | null;

  @Column('uuid', { name: 'avatar_media_id', nullable: true, select: false })
  avatarMediaId!: string | null;

  @Column('text', { name: 'status_text', nullable: true })
  statusText!: string | null;

  @Column('boolean', { name: 'presence_hidden', default: false })
  presenceHidden!: boolean;

  @Column('boolean', { name: 'push_preview', default: true })
  pushPreview!: boolean;

  @Column('timestamptz', { name: 'created_at', default: () => 'now()' })
  createdAt!: Date;
}

/** The columns of a `UserRecord` under its names, for plain SQL over `users u`. */
export const USER_COLUMNS = `u.user_id AS "userId", u.username, u.display_name AS "displayName",
  u.avatar_url AS "avatarUrl", u.status_text AS "statusText", u.presence_hidden AS "presenceHidden",
  u.push_preview AS "pushPreview", u.created_at AS "createdAt"`;

/** Leaves out whatever else the row carries. */
export function toUserRecord(row: UserRecord): UserRecord {
  const { userId, username, displayName, avatarUrl, statusText, presenceHidden, pushPreview, createdAt } = row;
  return { userId, username, displayName, avatarUrl, statusText, presenceHidden, pushPreview, createdAt };
}
