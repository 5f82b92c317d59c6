# Makes the database where there is none yet, and runs the server. What is in --init-file is run at each start: a changed password is taken over.
set -e
[ -d /var/lib/mysql/mysql ] || mariadb-install-db --user=mysql --datadir=/var/lib/mysql --skip-test-db >/dev/null
password=$(sed "s/['\\\\]/\\\\&/g" /run/secrets/db_password)
install -o mysql -m 600 /dev/null /run/mysqld/init.sql
cat > /run/mysqld/init.sql <<SQL
CREATE DATABASE IF NOT EXISTS blog CHARACTER SET utf8mb4;
CREATE TABLE IF NOT EXISTS blog.posts (id BIGINT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(500) NOT NULL);
CREATE USER IF NOT EXISTS blog@'%';
ALTER USER blog@'%' IDENTIFIED BY '$password';
GRANT ALL ON blog.* TO blog@'%';
SQL
exec mariadbd --user=mysql --bind-address=0.0.0.0 --init-file=/run/mysqld/init.sql
