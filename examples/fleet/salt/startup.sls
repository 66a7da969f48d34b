{# Runs once at each start, when the device has a connection. #}
{%- set policy = salt['pillar.get']('update_release', {}) %}
include:
  - pending

{% if salt['pillar.get']('state', 'REGISTERED') == 'REGISTERED' %}
update-at-start:
  module.run:
    - minionutil.update_release:
    {% if policy.get('demand') == 'startup' %}
      - demand: true
    {% elif policy.get('automatic') == 'startup' %}
      - demand: false
    {% else %}
      - only_retry: true
    {% endif %}
{% endif %}

restart-when-asked:
  module.run:
    - minionutil.request_restart:
      - pending: false
      - immediately: true
      - reason: changes_made_during_startup
