// The recorder under PM2: pm2 start ecosystem.config.cjs && pm2 save
// Name your processors in args. docs/install.md says where the store is and how to upgrade.

module.exports = {
  apps: [
    {
      name: 'atlas-recorder',
      script: process.env.ATLAS_RECORDER || '/usr/local/bin/atlas-recorder',
      interpreter: 'none', // a program, not JavaScript
      args: ['run', '--processor', 'Main Bar=192.168.5.101', '--processor', 'Patio=192.168.5.102'],

      // One process. 'cluster' is for Node: PM2 would load the recorder as JavaScript, which it is not.
      // Whoever wants a second one ready sets instances: 2 here and adds '--standby' to args: one records, the others
      // wait for its store's lock and take over the moment it dies. Without --standby the others end with 75.
      exec_mode: 'fork',
      instances: 1,

      // PM2 stops with SIGINT. The recorder then stores what it received, at most 30 s; after PM2's own 1.6 s it would
      // be killed, and the record would say so.
      kill_timeout: 35000,

      // Not started again: 64, wrong usage, which would be wrong again; 75, another recorder has the store (a PM2 daemon
      // that died left one behind: its pid is in the log, stop that one first).
      stop_exit_codes: [64, 75],

      // After any other end it is started again for as long as it takes, ever more slowly: after 0.2 s at first, 15 s at
      // most. PM2's own limit of 16 would leave it stopped after a bad minute.
      autorestart: true,
      exp_backoff_restart_delay: 200,
      max_restarts: 1000000,

      // One line for each change of state; the samples are in the store.
      merge_logs: true,
    },
  ],
}
