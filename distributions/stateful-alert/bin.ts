#!/usr/bin/env node
import { main, processIo } from 'tocsin'
import { statefulAlert } from './index.js'

process.exitCode = await main(statefulAlert, process.argv.slice(2), processIo())
