'use strict';

const path = require('node:path');

/** The addon that AFTERCART_ADDON names, else the one that was compiled here, else the one of this package for this platform. */
exports.addon = () => {
  if (process.env.AFTERCART_ADDON) {
    return require(process.env.AFTERCART_ADDON);
  }
  const places = ['build/Release', `prebuilds/${process.platform}-${process.arch}`];
  const problems = [];
  for (const place of places) {
    try {
      return require(path.join(__dirname, place, 'aftercart.node'));
    } catch (missing) {
      problems.push(missing.message.split('\n')[0]);
    }
  }
  throw new Error(problems.join('; '));
};
