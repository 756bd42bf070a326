// A person at a browser, as a script: fills the login, decides on the consent page, follows to the end.
//
// node person.mjs allow|deny LAST_PAGE_FILE URL
//
// Understands the pages of oidc-provider and of keyfob's sandbox. Writes the last page's URL, status
// and text as JSON. Cookies go only to the host they came from.

import { rename, writeFile } from 'node:fs/promises';
import { request } from 'node:http';

const [decision, lastPageFile, start] = process.argv.slice(2);
const home = new URL(start).host;
const cookies = new Map();

async function visit(url, form) {
  for (let hop = 0; hop < 20; hop += 1) {
    const isHome = new URL(url).host === home;
    const response = await exchange(url, form, isHome);
    if (isHome) (response.headers['set-cookie'] ?? []).forEach(keep);
    const { location } = response.headers;
    if (!location) return { url, status: response.status, html: response.text };
    url = new URL(location, url).href;
    form = undefined;
  }
  throw new Error('too many redirects');
}

// Not `fetch`: it says of itself that it is a script, and keyfob's listener takes only navigations.
function exchange(url, form, withCookies) {
  const body = form && new URLSearchParams(form).toString();
  const headers = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  if (withCookies) headers.cookie = [...cookies].map((pair) => pair.join('=')).join('; ');
  if (body) headers['content-type'] = 'application/x-www-form-urlencoded';
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: body ? 'POST' : 'GET', headers }, async (response) => {
      const parts = await response.toArray();
      const text = Buffer.concat(parts).toString('utf8');
      resolve({ status: response.statusCode, headers: response.headers, text });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function keep(cookie) {
  const [pair] = cookie.split(';');
  const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
  if (value === '') cookies.delete(name); else cookies.set(name, value);
}

const attribute = (tag, name) => new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];

function plain(html) {
  return html.replace(/<style>.*?<\/style>/gs, ' ').replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ').trim();
}

// What the person sends from this page; nothing where there is nothing to fill.
function filled(page) {
  const form = /<form[^>]*>.*?<\/form>/s.exec(page.html)?.[0];
  if (!form) return undefined;
  const values = {};
  for (const input of form.match(/<input[^>]*type="hidden"[^>]*>/g) ?? []) {
    values[attribute(input, 'name')] = attribute(input, 'value') ?? '';
  }
  if (form.includes('name="login"')) Object.assign(values, { login: 'person', password: 'any' });
  if (form.includes('name="decision"')) values.decision = decision;
  const abort = /href="([^"]*\/abort)"/.exec(page.html)?.[1];
  if (decision === 'deny' && abort && values.prompt === 'consent') return { url: abort };
  return { url: attribute(form, 'action') || page.url, values };
}

async function goThrough() {
  let page = await visit(start);
  for (let pages = 0; pages < 5; pages += 1) {
    const next = filled(page);
    if (!next) break;
    page = await visit(new URL(next.url, page.url).href, next.values);
  }
  return { url: page.url, status: page.status, text: plain(page.html) };
}

const last = await goThrough().catch((error) => ({ error: String(error) }));
// In one piece, for whoever waits for the file.
await writeFile(`${lastPageFile}.part`, JSON.stringify(last));
await rename(`${lastPageFile}.part`, lastPageFile);
