{# Runs inside power.sleep and power.hibernate. #}
{%- set policy = salt['pillar.get']('update_release', {}) %}
include:
  - pending

{% if salt['pillar.get']('allow_auto_update', True) %}
{% if policy.get('demand') %}
update-before-sleep:
  module.run:
    - minionutil.update_release:
      - demand: true
{% elif policy.get('automatic') %}
update-before-sleep:
  module.run:
    - minionutil.update_release: []
{% endif %}
{% endif %}
