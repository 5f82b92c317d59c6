import socket

with open("/etc/greeting") as file:
    greeting = file.read().strip()
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("0.0.0.0", 7777))
while True:
    name, sender = server.recvfrom(512)
    server.sendto(greeting.encode() + b" " + name, sender)
