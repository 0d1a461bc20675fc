// The bakery: a REST API over its tables, and its page. It knows nothing of rowcast.
import {serve} from '@hono/node-server';
import {serveStatic} from '@hono/node-server/serve-static';
import {Hono} from 'hono';
import {HTTPException} from 'hono/http-exception';
import {jwt, sign} from 'hono/jwt';
import pg from 'pg';

const {DATABASE_URL, JWT_SECRET, PAGES = 'build', PORT = '8000'} = process.env;
const pool = new pg.Pool({connectionString: DATABASE_URL});
pool.on('error', (error) => console.error(`PostgreSQL: ${error.message}`));

const rows = async (sql, ...values) => (await pool.query(sql, values)).rows;
const one = async (status, complaint, sql, ...values) => {
  const [row] = await rows(sql, ...values);
  if (!row) throw new HTTPException(status, {message: complaint});
  return row;
};
const me = (c) => Number(c.get('jwtPayload').sub);
const isStaff = (c) => c.get('jwtPayload').roles.includes('staff');

const api = new Hono();

api.get('/users', async (c) => c.json(await rows('select id, name, role from users order by id')));

// A real shop would ask for a password here.
api.post('/login', async (c) => {
  const {id} = await c.req.json();
  const user = await one(401, 'There is no such user.', 'select id, name, role from users where id = $1', id);
  const exp = Math.floor(Date.now() / 1000) + 12 * 3600;
  return c.json({user, token: await sign({sub: String(user.id), roles: [user.role], exp}, JWT_SECRET, 'HS256')});
});

api.use(jwt({secret: JWT_SECRET, alg: 'HS256'}));

api.get('/items', async (c) => c.json(await rows('select * from items order by name')));

api.get('/orders', async (c) => c.json(await rows('select * from orders where user_id = $1 or $2 order by id', me(c), isStaff(c))));

api.post('/orders', async (c) => {
  const {item, quantity} = await c.req.json();
  return c.json(await one(500, '', 'insert into orders (user_id, item, quantity) values ($1, $2, $3) returning *', me(c), item, quantity), 201);
});

api.patch('/orders/:id', async (c) => {
  const {status} = await c.req.json();
  const sql = `update orders set status = $1
               where id = $2 and ($3 or (user_id = $4 and $1 = 'cancelled' and status = 'ordered')) returning *`;
  return c.json(await one(409, 'It is too late for that.', sql, status, c.req.param('id'), isStaff(c), me(c)));
});

api.get('/rooms', async (c) => c.json(await rows('select * from rooms where not staff_only or $1 order by id', isStaff(c))));

const myRooms = 'select room_id from members where user_id = $1';

api.get('/members', async (c) => c.json(await rows(`select * from members where room_id in (${myRooms})`, me(c))));

api.put('/rooms/:room/me', async (c) => {
  const room = c.req.param('room');
  await one(403, 'That room is not yours to enter.', 'select from rooms where id = $1 and (not staff_only or $2)', room, isStaff(c));
  await rows('insert into members values ($1, $2) on conflict do nothing', room, me(c));
  return c.body(null, 204);
});

api.delete('/rooms/:room/me', async (c) => {
  await rows('delete from members where room_id = $1 and user_id = $2', c.req.param('room'), me(c));
  return c.body(null, 204);
});

api.get('/rooms/:room/messages', async (c) =>
  c.json(await rows(`select * from messages where room_id = $2 and room_id in (${myRooms}) order by sent_at, id`, me(c), c.req.param('room'))));

// The id is the client's, so that sending it twice does no harm.
api.put('/rooms/:room/messages/:id', async (c) => {
  const {room, id} = c.req.param();
  const {body} = await c.req.json();
  await one(403, 'You are not in that room.', 'select from members where room_id = $1 and user_id = $2', room, me(c));
  await rows('insert into messages (id, room_id, user_id, body) values ($1, $2, $3, $4) on conflict do nothing', id, room, me(c), body);
  return c.body(null, 204);
});

api.onError((error, c) => {
  if (error instanceof HTTPException) return c.json({message: error.message}, error.status);
  if (error instanceof SyntaxError) return c.json({message: 'That is not JSON.'}, 400);
  // What PostgreSQL's types and constraints refuse is the caller's mistake.
  if (/^2[23]/.test(error.code)) return c.json({message: error.message}, 422);
  console.error(error);
  return c.json({message: 'Something went wrong here.'}, 500);
});

const app = new Hono().route('/api', api).use(serveStatic({root: PAGES}));
const server = serve({fetch: app.fetch, hostname: '127.0.0.1', port: Number(PORT)}, ({port}) => console.log(`listening on ${port}`));
process.on('SIGTERM', () => {
  server.close(() => pool.end());
  server.closeIdleConnections();
});
