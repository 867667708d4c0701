// @ts-check
// The first import of every command. Anything newer than old Node versions understand stays out of this file, and
// nothing that only newer ones export is imported by name elsewhere in scripts/, so that this line is what people see.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `living-mirror needs Node.js 20.19 or later, this is ${process.versions.node}: install a newer one from https://nodejs.org.`,
  );
  process.exit(1);
}
