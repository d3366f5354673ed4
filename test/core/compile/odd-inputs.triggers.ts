import { settings, type OddInput } from './odd-input.ts'

// Odd inputs: triggers.

export const ODD_TRIGGERS: readonly OddInput[] = [
  [
    'a trigger without type',
    settings('[[triggers]]', 'path = "/x"'),
    ['error missing-setting x/SOP.toml:2:3 Cannot read the trigger: it has no type'],
  ],
  [
    'a trigger of an unknown type',
    settings('[[triggers]]', 'type = "webhok"'),
    [
      'error bad-value x/SOP.toml:3:8 Cannot read setting "type": "webhok" is not one of manual, cron, webhook, file_watch, comm => Did you mean "webhook"?',
    ],
  ],
  [
    'a trigger of a type that is a number',
    settings('[[triggers]]', 'type = 5'),
    ['error wrong-type x/SOP.toml:3:8 Cannot read setting "type": expected a text, found the number 5'],
  ],
  [
    'a cron without expression',
    settings('[[triggers]]', 'type = "cron"'),
    ['error missing-setting x/SOP.toml:2:3 Cannot read the trigger: it has no expression'],
  ],
  [
    'a cron of four fields',
    settings('[[triggers]]', 'type = "cron"', 'expression = "0 2 * *"'),
    [
      'error bad-cron x/SOP.toml:4:15 Cannot read cron "0 2 * *": it has 4 fields, expected five: minute, hour, day, month, day',
    ],
  ],
  [
    'a cron with minute 60',
    settings('[[triggers]]', 'type = "cron"', 'expression = "60 2 * * *"'),
    ['error bad-cron x/SOP.toml:4:15 Cannot read cron "60 2 * * *": 60 is no minute: expected 0 to 59'],
  ],
  [
    'a cron with a word',
    settings('[[triggers]]', 'type = "cron"', 'expression = "0 2 * * funday"'),
    ['error bad-cron x/SOP.toml:4:23 Cannot read cron "0 2 * * funday": "funday" is no day of the week'],
  ],
  [
    'a cron that goes backwards',
    settings('[[triggers]]', 'type = "cron"', 'expression = "0 17-9 * * *"'),
    ['error bad-cron x/SOP.toml:4:17 Cannot read cron "0 17-9 * * *": "17-9" goes backwards'],
  ],
  [
    'a cron with a step of zero',
    settings('[[triggers]]', 'type = "cron"', 'expression = "*/0 * * * *"'),
    ['error bad-cron x/SOP.toml:4:15 Cannot read cron "*/0 * * * *": "*/0" has a step of "0"'],
  ],
  [
    'a cron with an unknown macro',
    settings('[[triggers]]', 'type = "cron"', 'expression = "@noon"'),
    [
      'error bad-cron x/SOP.toml:4:15 Cannot read cron "@noon": "@noon" is not one of @yearly, @annually, @monthly, @weekly, @da',
    ],
  ],
  ['a cron with seconds', settings('[[triggers]]', 'type = "cron"', 'expression = "0 30 2 * * mon-fri"'), []],
  [
    'a cron with an unknown zone',
    settings('[[triggers]]', 'type = "cron"', 'expression = "@daily"', 'timezone = "Berlin"'),
    ['error bad-value x/SOP.toml:5:12 Cannot read setting "timezone": "Berlin" is not the name of a timezone'],
  ],
  [
    'a cron with an unknown overlap',
    settings('[[triggers]]', 'type = "cron"', 'expression = "@daily"', 'overlap = "skipp"'),
    [
      'error bad-value x/SOP.toml:5:11 Cannot read setting "overlap": "skipp" is not one of allow_all, skip, buffer_one, buffer_a => Did you mean "skip"?',
    ],
  ],
  [
    'a schedule with cron (seed 000)',
    settings('[[triggers]]', 'type = "schedule"', 'cron = "61 2 * * *"'),
    ['error bad-cron x/SOP.toml:4:9 Cannot read cron "61 2 * * *": 61 is no minute: expected 0 to 59'],
  ],
  [
    'a path at a cron',
    settings('[[triggers]]', 'type = "cron"', 'expression = "@daily"', 'path = "/x"'),
    ['warning ignored-setting x/SOP.toml:5:1 Setting "path" has no effect on a trigger of type cron'],
  ],
  [
    'a webhook without path',
    settings('[[triggers]]', 'type = "webhook"'),
    ['error missing-setting x/SOP.toml:2:3 Cannot read the trigger: it has no path'],
  ],
  [
    'a webhook path without slash',
    settings('[[triggers]]', 'type = "webhook"', 'path = "incident"'),
    ['error bad-value x/SOP.toml:4:8 Cannot read setting "path": "incident" does not begin with /'],
  ],
  [
    'a webhook path with a query',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/x?y=1"'),
    ['error bad-value x/SOP.toml:4:8 Cannot read setting "path": "/x?y=1" is not the path of a URL'],
  ],
  [
    'a webhook path with ..',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/x/../y"'),
    ['error bad-value x/SOP.toml:4:8 Cannot read setting "path": "/x/../y" is not the path of a URL'],
  ],
  [
    'a webhook below /api',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/api/v1/x"'),
    ['error reserved-path x/SOP.toml:4:8 Cannot use the path "/api/v1/x" for a webhook: /api belongs to the engine'],
  ],
  [
    'a webhook at /health',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/Health"'),
    ['error reserved-path x/SOP.toml:4:8 Cannot use the path "/Health" for a webhook: /health belongs to the engine'],
  ],
  [
    'a webhook at the root',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/"'),
    ['error reserved-path x/SOP.toml:4:8 Cannot use the path "/" for a webhook: / belongs to the engine'],
  ],
  ['a webhook beside a reserved prefix', settings('[[triggers]]', 'type = "webhook"', 'path = "/apis/x"'), []],
  [
    'a webhook with an unknown method',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/x"', 'methods = ["POST", "FETCH"]'),
    [
      'error bad-value x/SOP.toml:5:20 Cannot read setting "methods": "FETCH" is not one of GET, POST, PUT, PATCH, DELETE',
    ],
  ],
  [
    'a webhook with its secret in the file',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/x"', 'secret = "s3cr3t!"'),
    [
      'warning plain-secret x/SOP.toml:5:10 The secret of the webhook stands in the file itself, where everybody can read it',
    ],
  ],
  [
    'a cron whose params its runs cannot take',
    settings(
      ...['[[params]]', 'name = "version"', 'required = true', '[[params]]', 'name = "count"', 'type = "number"'],
      ...['[[triggers]]', 'type = "cron"', 'expression = "0 3 * * *"', 'params = { count = "many", verson = "1" }'],
    ),
    [
      'warning trigger-params x/SOP.toml:8:3 Param "version" of this trigger: it is required and was not given. Its runs would be refused',
      'warning trigger-params x/SOP.toml:11:12 Param "count" of this trigger: it must be a number. Its runs would be refused',
      'warning trigger-params x/SOP.toml:11:28 Param "verson" of this trigger: this SOP has no such param. It has no effect',
    ],
  ],
  [
    'a webhook that gives what the SOP does not declare',
    settings(
      ...['[[params]]', 'name = "service"', '[[triggers]]', 'type = "webhook"', 'path = "/x"'],
      'params = { services = "payload.service" }',
    ),
    [
      'warning trigger-params x/SOP.toml:7:12 Param "services" of this trigger: this SOP has no such param. It has no effect',
    ],
  ],
  [
    'a file_watch without path',
    settings('[[triggers]]', 'type = "file_watch"'),
    ['error missing-setting x/SOP.toml:2:3 Cannot read the trigger: it has no path'],
  ],
  [
    'a file_watch of an unknown event',
    settings('[[triggers]]', 'type = "file_watch"', 'path = "/x"', 'events = ["create", "creat"]'),
    [
      'error bad-value x/SOP.toml:5:21 Cannot read setting "events": "creat" is not one of create, modify, delete => Did you mean "create"?',
    ],
  ],
  [
    'a command without pattern',
    settings('[[triggers]]', 'type = "command"'),
    ['error missing-setting x/SOP.toml:2:3 Cannot read the trigger: it has no pattern'],
  ],
  [
    'a command with a broken pattern',
    settings('[[triggers]]', 'type = "command"', 'pattern = "deploy("'),
    ['error bad-pattern x/SOP.toml:4:11 Cannot read pattern "deploy(": missing closing ): `deploy(`'],
  ],
  [
    'a command with a look-ahead',
    settings('[[triggers]]', 'type = "command"', 'pattern = "^(?!x)"'),
    ['error bad-pattern x/SOP.toml:4:11 Cannot read pattern "^(?!x)": invalid or unsupported Perl syntax: `(?!`'],
  ],
  [
    'an event without name',
    settings('[[triggers]]', 'type = "event"'),
    ['error missing-setting x/SOP.toml:2:3 Cannot read the trigger: it has no event'],
  ],
  [
    'an event with two names',
    settings('[[triggers]]', 'type = "event"', 'event = ["a", "b"]'),
    ['error bad-value x/SOP.toml:4:15 Cannot read setting "event": a trigger waits for one event'],
  ],
  [
    'a trigger condition that cannot be read',
    settings('[[triggers]]', 'type = "event"', 'event = "a"', 'condition = "a =="'),
    ['error bad-condition x/SOP.toml:5:18 Cannot read condition "a ==": it ends too early'],
  ],
  [
    'an mqtt without topic',
    settings('[[triggers]]', 'type = "mqtt"'),
    ['error missing-setting x/SOP.toml:2:3 Cannot read the trigger: it has no topic'],
  ],
  [
    'a peripheral',
    settings('[[triggers]]', 'type = "peripheral"', 'board = "b"'),
    [
      'warning unserved x/SOP.toml:3:8 Nothing here can begin a run by a trigger of type "peripheral": it is shown and never fire',
    ],
  ],
  [
    'a sop trigger of an unknown state',
    settings('[[triggers]]', 'type = "sop"', 'sop = "x"', 'on = ["completd"]'),
    [
      'error bad-value x/SOP.toml:5:7 Cannot read setting "on": "completd" is not one of completed, failed, cancelled => Did you mean "completed"?',
    ],
  ],
  [
    'an unknown key of a trigger',
    settings('[[triggers]]', 'type = "webhook"', 'path = "/x"', 'pth = "/y"'),
    ['warning unknown-key x/SOP.toml:5:1 Cannot use "pth": a trigger knows no such setting => Did you mean "path"?'],
  ],
  [
    'triggers that are a number',
    settings('triggers = 5'),
    ['error wrong-type x/SOP.toml:2:12 Cannot read setting "triggers": expected a list of tables, found the number 5'],
  ],
  [
    'triggers with a number inside',
    settings('triggers = [5]'),
    ['error wrong-type x/SOP.toml:2:13 Cannot read setting "triggers": expected a list of tables, found the number 5'],
  ],
  [
    'a trigger as a word',
    settings('triggers = ["manual", "corn"]'),
    [
      'error bad-value x/SOP.toml:2:23 Cannot read setting "type": "corn" is not one of manual, cron, webhook, file_watch, comman => Did you mean "cron"?',
    ],
  ],
  [
    'a cron of dialect Z without zone',
    {
      'x/SOP.toml': '[sop]\nname = "x"\ndeterministic = true\n[[triggers]]\ntype = "cron"\nexpression = "0 2 * * *"\n',
      'x/SOP.md': '## Steps\n\n1. **A** — Do it.\n',
    },
    ['warning cron-without-zone x/SOP.toml:6:14 Cron "0 2 * * *" has no timezone: it fires in UTC'],
  ],
  [
    'ZeroClaw config keys in SOP.toml',
    settings('name = "x"', 'approval_mode = "both"', 'max_pending_approvals = 2'),
    [
      'hint zeroclaw-hint x/SOP.toml:3:1 Setting "approval_mode" changes nothing here: it belongs to ZeroClaw\'s config; approvers a',
      'hint zeroclaw-hint x/SOP.toml:4:1 Setting "max_pending_approvals" changes nothing here: parked runs are not limited',
    ],
  ],
  [
    'a file_watch of the whole disk',
    settings('[[triggers]]', 'type = "file_watch"', 'path = "/**/*.csv"'),
    [
      'error bad-glob x/SOP.toml:4:8 Cannot watch "/**/*.csv": it means the whole disk. Begin it with a folder, as in /srv/inb',
    ],
  ],
  [
    'a file_watch with an open bracket',
    settings('[[triggers]]', 'type = "file_watch"', 'path = "in/[a.csv"'),
    ['error bad-glob x/SOP.toml:4:8 Cannot watch "in/[a.csv": "[" is not closed. Write \\[ for the character itself'],
  ],
  [
    'an MQTT topic with # in the middle',
    settings('[[triggers]]', 'type = "mqtt"', 'topic = "a/#/b"'),
    [
      'error bad-topic x/SOP.toml:4:9 Cannot use "a/#/b" as an MQTT topic: "#" stands for all further levels, and only at the end,',
    ],
  ],
  [
    'an AMQP routing key with half a wildcard',
    settings('[[triggers]]', 'type = "amqp"', 'routing_key = "a.b*"'),
    [
      'error bad-topic x/SOP.toml:4:15 Cannot use "a.b*" as an AMQP routing key: "*" and "#" stand for whole words, as in a.*.b',
    ],
  ],
]
