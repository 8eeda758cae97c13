/** What the pages of the test do, as an app would: written for the browser, and sent there as text. */
export const CALL_PAGE = `<!doctype html>
<meta charset="utf-8">
<script src="/socket.io.min.js"></script>
<script>
  const heard = [];
  let socket, peer, channel, callId;

  /** Opens a socket and has whoever is called answer signals. */
  function connect(url, token) {
    socket = io(url + '/calls', { auth: { token }, transports: ['websocket'] });
    socket.on('call:incoming', (call) => { callId = call.id; });
    socket.on('call:signal', ({ from, data }) => onSignal(from, data));
    return new Promise((resolve, reject) => {
      socket.on('connect', () => resolve());
      socket.on('connect_error', ({ message }) => reject(new Error(message)));
    });
  }

  async function ask(event, payload) {
    const answer = await socket.timeout(10000).emitWithAck(event, payload);
    if (!answer.ok) throw new Error(answer.error.code);
    return answer;
  }

  async function call(userId) {
    const { call } = await ask('call:start', { userIds: [userId], type: 'video' });
    callId = call.id;
  }

  /** Whoever joins makes an offer to those who are in the call. */
  async function answer() {
    const { call } = await ask('call:accept', { callId });
    const { user } = call.participants.find(({ deviceId }) => deviceId && deviceId !== socket.id);
    open(user.id);
    listen(peer.createDataChannel('words'));
    await peer.setLocalDescription(await peer.createOffer());
    await signal(user.id, { kind: 'offer', sdp: peer.localDescription.sdp });
  }

  async function onSignal(from, data) {
    if (data.kind === 'offer') open(from);
    if (data.kind === 'ice') {
      for (const candidate of data.candidates) await peer.addIceCandidate(candidate);
      return;
    }
    await peer.setRemoteDescription({ type: data.kind, sdp: data.sdp });
    if (data.kind === 'answer') return;
    await peer.setLocalDescription(await peer.createAnswer());
    await signal(from, { kind: 'answer', sdp: peer.localDescription.sdp });
  }

  function open(userId) {
    peer = new RTCPeerConnection();
    peer.onicecandidate = ({ candidate }) => {
      if (candidate) void signal(userId, { kind: 'ice', candidates: [candidate.toJSON()] });
    };
    peer.ondatachannel = (event) => listen(event.channel);
  }

  /** In the order in which they come: a candidate is of no use before its description. */
  let last = Promise.resolve();
  function signal(to, data) {
    last = last.then(() => ask('call:signal', { callId, to, data }));
    return last;
  }

  function listen(opened) {
    channel = opened;
    channel.onmessage = ({ data }) => heard.push(data);
  }
</script>`;
