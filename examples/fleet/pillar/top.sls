base:
  '*':
    - device
