import { LIMITS, ParleyError } from '@parley/sdk';
import { useEffect, useId, useRef, useState } from 'react';
import { linkTo } from '../routing/use-route.js';
import { faultText } from './fault-text.js';
import type { Session } from './session.js';
import './sign-in-page.css';

type Mode = 'login' | 'signup';

interface Fields {
  readonly displayName: string;
  readonly username: string;
  readonly password: string;
}

/** What can be said before the server is asked; empty where nothing is wrong. */
function missingIn(mode: Mode, { displayName, username, password }: Fields): Partial<Fields> {
  if (mode === 'login') {
    return {
      ...(username === '' && { username: 'Enter your user name.' }),
      ...(password === '' && { password: 'Enter your password.' }),
    };
  }
  return {
    ...(displayName === '' && { displayName: 'Enter the name that others see.' }),
    ...(!/^[a-z0-9_.-]{3,32}$/.test(username) && { username: '3 to 32 of: a–z, 0–9, dot, dash, underscore.' }),
    ...([...password].length < LIMITS.passwordCharactersMin && {
      password: `At least ${LIMITS.passwordCharactersMin} characters.`,
    }),
  };
}

function InputField(props: {
  label: string;
  value: string;
  fault: string | undefined;
  hint?: string | undefined;
  autoComplete: string;
  type?: string;
  maxLength: number;
  autoFocus?: boolean;
  onChange: (value: string) => void;
}) {
  const id = useId();
  const note = props.fault ?? props.hint;
  return (
    <div className="field">
      <label htmlFor={id}>{props.label}</label>
      <input
        id={id}
        className="input"
        type={props.type ?? 'text'}
        value={props.value}
        maxLength={props.maxLength}
        autoComplete={props.autoComplete}
        autoCapitalize="none"
        spellCheck={false}
        autoFocus={props.autoFocus}
        aria-invalid={props.fault !== undefined}
        aria-describedby={note === undefined ? undefined : `${id}-note`}
        onChange={(event) => props.onChange(event.target.value)}
      />
      {note !== undefined && (
        <p id={`${id}-note`} className={props.fault === undefined ? 'hint' : 'fault'}>
          {note}
        </p>
      )}
    </div>
  );
}

const WORDS = {
  login: { title: 'Welcome back', action: 'Log in', ask: 'New here?', other: 'Create an account', leadsTo: 'signup' },
  signup: {
    title: 'Create your account',
    action: 'Sign up',
    ask: 'Have an account already?',
    other: 'Log in',
    leadsTo: 'login',
  },
} as const;

/** Log-in and sign-up: one form, with or without a name. */
export function SignInPage({ session, mode, ended }: { session: Session; mode: Mode; ended: boolean }) {
  const words = WORDS[mode];
  return (
    <div className="sign-in">
      <Story />
      <main className="sign-in-main">
        <SignInForm key={mode} session={session} mode={mode} ended={ended} />
        <p className="sign-in-switch hint">
          <br />
          {words.ask} <a {...linkTo({ name: words.leadsTo })}>{words.other}</a>
        </p>
        <nav className="sign-in-foot" aria-label="About this server">
          <a href="/docs">REST API</a>
          <a href="/asyncapi">Socket events</a>
          <a href="/developers">For developers</a>
        </nav>
      </main>
    </div>
  );
}

function Story() {
  return (
    <aside className="sign-in-story" aria-label="About Parley">
      <span className="brand">
        <img src="/favicon.svg" alt="" />
        Parley
      </span>
      <div>
        <h1>Say it once. It arrives, in order, whatever the network does.</h1>
        <p>
          A chat that your team runs itself: direct messages and groups, delivered live, kept for good, and written
          while you are offline.
        </p>
      </div>
      <div className="sign-in-talk" aria-hidden="true">
        <span>Did the train lose you in the tunnel?</span>
        <span>For a minute. Everything was here when I came out.</span>
      </div>
    </aside>
  );
}

/** What is entered, what is wrong with it, and the way to the server. */
function useSignIn(session: Session, mode: Mode) {
  const [fields, setFields] = useState<Fields>({ displayName: '', username: '', password: '' });
  const [faults, setFaults] = useState<Partial<Fields>>({});
  const [refusal, setRefusal] = useState('');
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const refusals = useRef(0);
  // The button that may have had the focus was disabled meanwhile.
  useEffect(() => {
    if (refusals.current === 0 || isBusy) return;
    const fields = form.current;
    (
      fields?.querySelector<HTMLElement>('[aria-invalid=true]') ?? fields?.querySelector<HTMLElement>('[type=password]')
    )?.focus();
  }, [isBusy]);
  const change = (name: keyof Fields) => (value: string) => {
    setFields((now) => ({ ...now, [name]: name === 'username' ? value.toLowerCase() : value }));
    setFaults((now) => ({ ...now, [name]: undefined }));
  };
  const submit = async (event: React.FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const entered = { ...fields, displayName: fields.displayName.trim() };
    const missing = missingIn(mode, entered);
    setFaults(missing);
    setRefusal('');
    if (Object.keys(missing).length > 0)
      return event.currentTarget.querySelector<HTMLElement>('[aria-invalid=true], input')?.focus();
    setBusy(true);
    try {
      await (mode === 'login' ? session.logIn(entered) : session.signUp(entered));
    } catch (fault) {
      if (fault instanceof ParleyError && fault.code === 'conflict') {
        setFaults({ username: 'This user name is taken.' });
      } else setRefusal(faultText(fault));
      refusals.current += 1;
      setBusy(false);
    }
  };
  return { form, fields, faults, refusal, isBusy, change, submit };
}

function SignInForm({ session, mode, ended }: { session: Session; mode: Mode; ended: boolean }) {
  const { form, fields, faults, refusal, isBusy, change, submit } = useSignIn(session, mode);
  const words = WORDS[mode];
  return (
    <form ref={form} className="sign-in-form" noValidate onSubmit={(event) => void submit(event)} aria-busy={isBusy}>
      <span className="brand">
        <img src="/favicon.svg" alt="" />
        Parley
      </span>
      <h2>{words.title}</h2>
      {ended && <p className="sign-in-notice">You were signed out here. Log in again to go on.</p>}
      {refusal !== '' && (
        <p className="sign-in-fault" role="alert">
          {refusal}
        </p>
      )}
      {mode === 'signup' && (
        <InputField
          label="Your name"
          value={fields.displayName}
          fault={faults.displayName}
          autoComplete="name"
          maxLength={LIMITS.displayNameCharacters}
          autoFocus
          onChange={change('displayName')}
        />
      )}
      <InputField
        label="User name"
        value={fields.username}
        fault={faults.username}
        hint={mode === 'signup' ? 'People find you by it.' : undefined}
        autoComplete="username"
        maxLength={LIMITS.usernameCharacters}
        autoFocus={mode === 'login'}
        onChange={change('username')}
      />
      <InputField
        label="Password"
        type="password"
        value={fields.password}
        fault={faults.password}
        hint={mode === 'signup' ? `At least ${LIMITS.passwordCharactersMin} characters.` : undefined}
        autoComplete={mode === 'login' ? 'current-password' : 'new-password'}
        maxLength={LIMITS.passwordCharacters}
        onChange={change('password')}
      />
      <button type="submit" className="button button-primary" disabled={isBusy}>
        {isBusy ? 'One moment…' : words.action}
      </button>
    </form>
  );
}
