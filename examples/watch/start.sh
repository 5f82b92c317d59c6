exec httpd -f -p 80 -h /srv/site
