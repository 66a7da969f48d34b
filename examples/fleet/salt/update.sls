{# Updates at once: queue it as a pending SLS. #}
update-now:
  module.run:
    - minionutil.update_release: []

restart-after-update:
  module.run:
    - minionutil.request_restart:
      - pending: false
      - immediately: true
      - reason: release_updated
