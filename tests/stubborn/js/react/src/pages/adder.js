onmessage = (event) => postMessage(event.data.reduce((sum, one) => sum + one));
