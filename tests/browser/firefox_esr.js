// Make a WebDriver BiDi command optional that Playwright 1.65 sends and Firefox ESR 153 does not know.
// Loaded into Playwright's driver by NODE_OPTIONS=--require.
const { Module } = require("module");
const compile = Module.prototype._compile;
const unknown = /\.send\(("emulation\.setMediaFeaturesOverride")/g;

Module.prototype._compile = function (source, file, ...rest) {
  const tolerant = file.endsWith("coreBundle.js") ? source.replace(unknown, ".sendMayFail($1") : source;
  return compile.call(this, tolerant, file, ...rest);
};
