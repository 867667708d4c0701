// @ts-check
// Plays the service for tests of `npm start`: ready at once; ends as STAND_IN_SERVICE says.
import http from 'node:http';

const settings = ['DATABASE_URL', 'AMQP_URL', 'AMQP_AUTH_MODE', 'AMQP_APP_KEY', 'AMQP_CA_FILE'];
if (process.env['STAND_IN_SERVICE'] === 'refuse') {
  console.error('HTTP_TOKEN must be set.');
  process.exit(3);
}
const server = http.createServer((request, response) => {
  if (request.url === '/crash') process.kill(process.pid, 'SIGKILL');
  response.end(JSON.stringify(Object.fromEntries(settings.map((name) => [name, process.env[name]]))));
});
server.listen(Number(process.env['HTTP_PORT']), '127.0.0.1');
process.on('SIGTERM', () => {
  if (process.env['STAND_IN_SERVICE'] === 'deaf') return;
  console.log('service stopped');
  process.exit(0);
});
