import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.jsx';
import { applyTheme } from './design/theme.js';
import { Session } from './session/session.js';
import './design/base.css';

applyTheme();
const session = new Session();
const root = document.getElementById('root');
if (!root) throw new Error('The page has no place for the application');
createRoot(root).render(
  <StrictMode>
    <App session={session} />
  </StrictMode>,
);
void session.start();
