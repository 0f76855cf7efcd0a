import { ParleyProvider } from '@parley/react';
import type { ParleyClient } from '@parley/sdk';
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { ChatPage } from './chat-page.jsx';
import { NoticesProvider } from './notices/notices.jsx';
import { People } from './people/people.js';
import { navigate, useRoute } from './routing/use-route.js';
import type { Session } from './session/session.js';
import { SignInPage } from './session/sign-in-page.jsx';
import { SignedInContext, type SignedIn } from './state/signed-in.js';
import { Drafts } from './timeline/drafts.js';

/** The whole page: the chat of whoever is signed in, else the way in. */
export function App({ session }: { session: Session }) {
  const state = useSyncExternalStore(session.subscribe, () => session.state);
  const route = useRoute();
  if (state.status === 'starting') return null;
  if (state.status === 'signed-out') {
    // Whoever was here before is asked to come back; everybody else probably has no account yet.
    const mode = route.name === 'signup' || (route.name === 'home' && !state.ended) ? 'signup' : 'login';
    return <SignInPage session={session} mode={mode} ended={state.ended} />;
  }
  return <SignedInApp client={state.client} session={session} />;
}

function SignedInApp({ client, session }: { client: ParleyClient; session: Session }) {
  const signedIn = useMemo((): SignedIn => {
    const drafts = new Drafts(client.userId);
    return {
      client,
      drafts,
      people: new People(client),
      logOut: () => {
        drafts.clear();
        navigate({ name: 'login' }, { replace: true });
        void session.logOut();
      },
    };
  }, [client, session]);
  useEffect(() => {
    const save = (): void => signedIn.drafts.save();
    window.addEventListener('pagehide', save);
    window.addEventListener('storage', signedIn.drafts.stored);
    return () => {
      window.removeEventListener('pagehide', save);
      window.removeEventListener('storage', signedIn.drafts.stored);
    };
  }, [signedIn]);
  return (
    <SignedInContext value={signedIn}>
      <ParleyProvider client={client}>
        <NoticesProvider>
          <ChatPage />
        </NoticesProvider>
      </ParleyProvider>
    </SignedInContext>
  );
}
