// Somebody with psql: runs the statements that the stage offers, and no others, past the bakery's server.
import {createServer} from 'node:http';
import pg from 'pg';

const {DATABASE_URL, ORIGIN, PSQL} = process.env;
const pool = new pg.Pool({connectionString: DATABASE_URL});
pool.on('error', (error) => console.error(`PostgreSQL: ${error.message}`));

const statements = [
  {sql: "update orders set status = 'ready' where status = 'baking'", says: 'all that is in the oven, in one transaction'},
  {sql: "insert into orders (user_id, item, quantity) values (1, 'Pretzel', 12)", says: 'Ada orders by telephone'},
  {sql: "insert into messages values (gen_random_uuid(), 1, 4, 'Fresh bread in five minutes!')", says: 'to who is in #counter, and nobody else'},
  {sql: 'delete from members where room_id = 1 and user_id = 1', says: 'Ada is put out of #counter, at once'},
  {sql: "delete from orders where status in ('collected', 'cancelled')", says: 'tidying up'},
];

const server = createServer(async (request, response) => {
  const answer = (status, body) => response.writeHead(status, {'content-type': 'application/json', 'access-control-allow-origin': ORIGIN}).end(JSON.stringify(body));
  const number = /^\/(\d)$/.exec(request.url)?.[1];
  // A page of another origin could send this, too; it cannot say that it is the stage.
  if (request.headers.origin !== ORIGIN) return answer(403, {});
  if (request.method === 'GET' && request.url === '/') return answer(200, {psql: PSQL, statements});
  if (request.method !== 'POST' || !statements[number]) return answer(404, {});
  try {
    const {rowCount} = await pool.query(statements[number].sql);
    answer(200, {rowCount});
  } catch (error) {
    answer(500, {message: error.message});
  }
});
server.listen(Number(new URL(process.env.HAND_URL).port), '127.0.0.1', () => console.log('listening'));
process.on('SIGTERM', () => {
  server.close(() => pool.end());
  server.closeAllConnections();
});
