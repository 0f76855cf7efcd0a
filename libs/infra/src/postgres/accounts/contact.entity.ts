import { Column, Entity, PrimaryColumn } from 'typeorm';

@Entity('contacts')
export class ContactEntity {
  @PrimaryColumn('uuid', { name: 'owner_id' })
  ownerId!: string;

  @PrimaryColumn('uuid', { name: 'contact_id' })
  contactId!: string;

  /** Grows with each addition; 64 bits, so a string. */
  @Column({ type: 'bigint', insert: false, update: false })
  position!: string;
}
