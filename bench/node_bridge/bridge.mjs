// The bridge that one writes in an afternoon: LISTEN, and what is notified goes to every WebSocket. Nothing is resumed,
// filtered, permitted or bounded. bench/fan_out starts it: DATABASE_URL, PORT.
import pg from 'pg';
import {WebSocketServer} from 'ws';

const server = new WebSocketServer({port: Number(process.env.PORT), host: '127.0.0.1', perMessageDeflate: false, backlog: 4096});

const database = new pg.Client({connectionString: process.env.DATABASE_URL});
database.on('notification', ({payload}) => {
    for (const client of server.clients) {
        client.send(payload);
    }
});
await database.connect();
await database.query('listen fan_out');
console.log('ready');
