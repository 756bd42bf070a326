// A real browser, driven: pages of other origins try everything to reach a proxy on loopback.
//
// node reach.mjs FOLDER PAGE PROXY SECRET
//
// PAGE is a page on another port, PROXY the proxy's address. The name rebound.example leads to
// loopback, as a name does whose owner has rebound it. Leaves results.json in FOLDER: for each
// attempt what the page could read, and what it was told.

import { launch, leave } from './chromium.mjs';

const [folder, pageAddress, proxy, secret] = process.argv.slice(2);
const port = new URL(proxy).port;

const browser = await launch('MAP rebound.example 127.0.0.1');

// Runs in the page: everything that a page can do, with the secret as if it had been guessed.
async function attempts([address, secret]) {
  const results = {};
  const read = async (name, attempt) => {
    try {
      results[name] = await attempt();
    } catch (error) {
      results[name] = { failed: String(error) };
    }
  };
  const fetched = async (options, path = '/orders') => {
    const response = await fetch(address + path, options);
    return { type: response.type, status: response.status, body: await response.text() };
  };
  const shown = { 'X-Keyfob-Proxy': secret };
  await read('fetch', () => fetched({}));
  await read('fetch with the secret', () => fetched({ headers: shown }));
  await read('fetch with a token', () => fetched({ headers: { Authorization: `Bearer ${secret}` } }));
  await read('fetch without cors', () => fetched({ mode: 'no-cors', credentials: 'include' }));
  await read('post without cors', () => fetched({ mode: 'no-cors', method: 'POST', body: '{}' }));
  await read('secret in the path', () => fetched({ mode: 'no-cors' }, `/${secret}/orders`));
  await read('websocket', () => new Promise((resolve) => {
    const socket = new WebSocket(address.replace('http', 'ws') + '/orders');
    socket.onopen = () => resolve({ opened: true });
    socket.onerror = () => resolve({ failed: 'refused' });
  }));
  await read('events', () => new Promise((resolve) => {
    const events = new EventSource(address + '/orders');
    events.onopen = () => resolve({ opened: true });
    events.onerror = () => { events.close(); resolve({ failed: 'refused' }); };
  }));
  await read('script', () => new Promise((resolve) => {
    const script = document.createElement('script');
    script.onload = () => resolve({ opened: true });
    script.onerror = () => resolve({ failed: 'refused' });
    script.src = address + '/orders';
    document.head.append(script);
  }));
  return results;
}

async function from(address) {
  const page = await browser.newPage();
  await page.goto(address);
  const results = await page.evaluate(attempts, [proxy, secret]);
  await page.close();
  return results;
}

// A page of the rebound name has the proxy as its own origin: no Origin header, no preflight.
async function rebound() {
  const page = await browser.newPage();
  const response = await page.goto(`http://rebound.example:${port}/orders`);
  const own = `http://rebound.example:${port}`;
  const results = await page.evaluate(attempts, [own, secret]);
  results.visit = { status: response.status(), body: await response.text() };
  await page.close();
  return results;
}

async function visit() {
  const page = await browser.newPage();
  const response = await page.goto(`${proxy}/orders`);
  return { visit: { status: response.status(), body: await response.text() } };
}

async function all() {
  return {
    'another port': await from(pageAddress),
    'another name': await from(pageAddress.replace('127.0.0.1', 'localhost')),
    'a rebound name': await rebound(),
    'the address bar': await visit(),
  };
}

const results = await all().catch((error) => ({ error: String(error) }));
await browser.close();
await leave(folder, 'results.json', results);
