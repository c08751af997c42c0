#!/usr/bin/env node
import { processIo } from 'tocsin'
import { runValerter } from './command.js'

process.exitCode = await runValerter(process.argv.slice(2), processIo())
