#!/usr/bin/env node
import { main, processIo } from 'tocsin'
import { full } from './index.js'

process.exitCode = await main(full, process.argv.slice(2), processIo())
