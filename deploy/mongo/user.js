// Run by mongosh on the primary. What the nodes may: read, write and index their own database, and nothing else.
const atrium = db.getSiblingDB('atrium');
const user = { pwd: process.env.MONGO_PASSWORD, roles: [{ role: 'readWrite', db: 'atrium' }] };

// A password that was changed in the settings is changed here, too.
if (atrium.getUser('atrium') === null) atrium.createUser({ user: 'atrium', ...user });
else atrium.updateUser('atrium', user);
