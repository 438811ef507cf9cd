#!/usr/bin/env node
'use strict';
const path = require('node:path');
const { launch } = require('./launch.cjs');

launch(path.join(__dirname, 'medledger.ts'), process.argv.slice(2));
