#!/bin/bash
# Makes the replica set and the user of the nodes; on later starts both are there, and it only waits for a primary.
set -euo pipefail

as_root=(--quiet --username root --password "$MONGO_ROOT_PASSWORD" --authenticationDatabase admin)

# The first member takes connections from elsewhere once its image has made the user `root`.
until mongosh --host mongo1 "${as_root[@]}" /deploy/replica-set.js; do
  sleep 1
done
mongosh "${as_root[@]}" 'mongodb://mongo1,mongo2,mongo3/?replicaSet=atrium' /deploy/user.js
