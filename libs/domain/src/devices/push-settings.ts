/** What is configured about pushing, for those who register devices. Type and DI token in one. */
export abstract class PushSettings {
  /** Null: this server sends no Web Push. */
  abstract readonly vapidPublicKey: string | null;
  /** Web Push endpoints on this machine and in private networks are taken too; in development only. */
  abstract readonly arePrivateEndpointsAllowed: boolean;
}
