/** Who asks, and through which socket (null over REST): that socket keeps the order of its commands and hears no echo. */
export interface Actor {
  userId: string;
  connectionId: string | null;
}
