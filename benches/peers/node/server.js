// Which actions are eligible for this customer? A POST with its attributes as JSON; the rules come from one
// of the libraries in `rules.js`. Usage: node server.js PEER ORGANISATION PORT

import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import * as peers from './rules.js';

const [, , peer, organisation, port] = process.argv;
const eligible = peers[peer](JSON.parse(readFileSync(organisation, 'utf8')).predicates);

function answer(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}

createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    try {
      answer(response, 200, { eligible: await eligible(JSON.parse(Buffer.concat(chunks).toString('utf8'))) });
    } catch (error) {
      answer(response, 500, { error: String(error) });
    }
  });
}).listen(Number(port), '127.0.0.1');
