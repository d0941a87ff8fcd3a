// Obeys "hold MIB" and "drop MIB".
const held = [];
console.log('ready');
require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const [word, mib] = line.split(' ');
    for (let left = mib * 1024; left > 0; left--) {
        const block = new Array(127).fill(left + 0.5);
        if (word === 'hold') held.push(block);
    }
    console.log('done');
});
