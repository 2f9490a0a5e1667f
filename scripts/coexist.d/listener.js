// A program of a venue that listens for meters: plain, or a cluster. Notes the number of every datagram it hears.
//   node listener.js FILE PORT REUSE WORKERS
// Says `bound` and when, or the error's code; writes FILE.PID at SIGTERM. A cluster starts all its workers anew at SIGUSR2.
const cluster = require('node:cluster')
const dgram = require('node:dgram')
const fs = require('node:fs')
const [file, port, reuse, workers] = [process.argv[2], ...process.argv.slice(3).map(Number)]

if (workers > 0 && cluster.isPrimary) {
  let isEnding = false
  const fork = () => { for (let i = 0; i < workers; i++) cluster.fork() }
  const end = () => { for (const id in cluster.workers) cluster.workers[id].process.kill('SIGTERM') }
  cluster.on('exit', () => {
    if (Object.keys(cluster.workers).length > 0) return
    if (isEnding) process.exit()
    setTimeout(fork, 50) // the socket that they shared is closed by then
  })
  process.on('SIGUSR2', end)
  process.on('SIGTERM', () => { isEnding = true; end() })
  fork()
} else {
  const socket = dgram.createSocket({ type: 'udp4', reuseAddr: reuse === 1 })
  const heard = { first: 0, numbers: [], sources: {} }
  socket.on('message', (bytes, from) => {
    for (const line of bytes.toString().split('\n').filter(Boolean)) {
      const message = JSON.parse(line)
      if (message.method !== 'update') continue
      if (heard.first === 0) heard.first = Date.now()
      heard.numbers.push(Math.round(-message.params[0].val * 10000))
      heard.sources[from.address] = true
    }
  })
  socket.on('error', error => { console.log(error.code); process.exit(1) })
  socket.bind({ port, exclusive: false }, () => { console.log('bound', Date.now()) })
  process.on('SIGTERM', () => { fs.writeFileSync(`${file}.${process.pid}`, JSON.stringify(heard)); process.exit() })
}
