// Runs for each message of the parser's topics, in a sandbox. `payload`, `getOrNull`, `writeAmqp` and the like are the
// platform's; see docs/simulator.md.
var data = payload('json');
var status = getOrNull(data, 'status');

if (status !== null) {
  writeAmqp(1000, { device: deviceName(), online: status === 'online', at: data.utcTime });
} else {
  var values = {};
  for (var name in toMap(data.items)) {
    values[name] = getOrNull(data, 'items', name, 'value');
  }
  writeAmqp(1000, { device: deviceName(), values: values }, 'values');
}
